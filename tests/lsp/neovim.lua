-- Run in a headless Neovim: what a user would do, and what came of it, as JSON in the file RESULT names.
local result = {}

local function wait_for(what, condition)
  if not vim.wait(20000, condition, 20) then
    error("waited in vain for " .. what)
  end
end

local function diagnostics()
  return vim.diagnostic.get(0)
end

local function lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

local function run()
  vim.cmd.edit("app.py")
  wait_for("the diagnostics", function() return #diagnostics() > 0 end)
  local client = vim.lsp.get_clients({ bufnr = 0, name = "panicguard" })[1]
  result.root = client.root_dir
  result.server = client.server_info
  result.diagnostics = vim.tbl_map(function(found)
    return { found.code, found.lnum, found.col, found.end_col, found.source, found.message }
  end, diagnostics())

  -- The quick fix at the cursor, of several actions the one that the user picks.
  vim.api.nvim_win_set_cursor(0, { diagnostics()[1].lnum + 1, diagnostics()[1].col })
  local before = table.concat(lines(), "\n")
  vim.ui.select = function(actions, _, choose)
    result.actions = vim.tbl_map(function(item) return { item.action.title, item.action.kind } end, actions)
    choose(actions[1])
  end
  vim.lsp.buf.code_action()
  wait_for("the quick fix", function() return table.concat(lines(), "\n") ~= before end)
  result.after_quick_fix = lines()

  vim.cmd("undo")
  vim.cmd.PanicguardFixAll()
  result.after_fix_all = lines()
  wait_for("no diagnostics", function() return #diagnostics() == 0 end)

  vim.cmd("undo")
  vim.api.nvim_create_autocmd("BufWritePre", {
    pattern = "*.py",
    callback = function(event) require("panicguard").fix_all(event.buf) end,
  })
  vim.cmd.write()

  vim.cmd.edit("app.go")
  wait_for("the diagnostics in Go", function() return #diagnostics() > 0 end)
  result.go = { diagnostics()[1].code, diagnostics()[1].lnum, diagnostics()[1].col, diagnostics()[1].end_col }
  result.go_clients = #vim.lsp.get_clients()
  vim.cmd.PanicguardFixAll()
  wait_for("no diagnostics in Go", function() return #diagnostics() == 0 end)
  vim.cmd.write()

  vim.notify = function(text) result.debug = text end
  vim.cmd.PanicguardDebug()
  wait_for("the debug information", function() return result.debug end)

  result.error = vim.v.errmsg
  vim.cmd("helptags " .. vim.fn.fnameescape(vim.env.TAGS))
  vim.lsp.stop_client(client.id)
  wait_for("the end of the server", function() return client:is_stopped() end)
end

local ok, problem = xpcall(run, debug.traceback)
result.problem = not ok and problem or nil
vim.fn.writefile({ vim.json.encode(result) }, vim.env.RESULT)
vim.cmd("qall!")
