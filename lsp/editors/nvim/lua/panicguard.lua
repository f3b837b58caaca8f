local M = {}

local KIND = "source.fixAll.panicguard"

--- Applies all safe fixes to a buffer. Synchronous, so that it can be used in BufWritePre.
---@param bufnr integer? The buffer; default: the current one.
---@param timeout integer? Milliseconds to wait for the server; default: 2000.
function M.fix_all(bufnr, timeout)
  bufnr = bufnr or vim.api.nvim_get_current_buf()
  for _, client in ipairs(vim.lsp.get_clients({ bufnr = bufnr, name = "panicguard" })) do
    local function ask(method, params)
      local response, problem = client:request_sync(method, params, timeout or 2000, bufnr)
      problem = problem or (response and response.err and response.err.message)
      if problem then
        vim.notify("panicguard: " .. problem, vim.log.levels.ERROR)
      end
      return response and response.result
    end

    local nowhere = { line = 0, character = 0 }
    local actions = ask("textDocument/codeAction", {
      textDocument = vim.lsp.util.make_text_document_params(bufnr),
      range = { start = nowhere, ["end"] = nowhere },
      context = { only = { KIND }, diagnostics = {}, triggerKind = 2 },
    })
    for _, action in ipairs(actions or {}) do
      action = action.edit and action or ask("codeAction/resolve", action)
      if action and action.edit then
        vim.lsp.util.apply_workspace_edit(action.edit, client.offset_encoding)
      end
    end
  end
end

--- Shows the server's debug information: its version, its settings and where they come from.
function M.debug()
  for _, client in ipairs(vim.lsp.get_clients({ name = "panicguard" })) do
    local command = { title = "", command = "panicguard.printDebugInformation" }
    client:exec_cmd(command, { bufnr = vim.api.nvim_get_current_buf() }, function(problem, text)
      vim.notify(problem and problem.message or tostring(text))
    end)
  end
end

return M
