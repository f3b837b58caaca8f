if vim.fn.has("nvim-0.11") == 0 then
  vim.notify("panicguard needs Neovim 0.11 or later", vim.log.levels.ERROR)
  return
end

vim.lsp.enable("panicguard")

vim.api.nvim_create_user_command("PanicguardFixAll", function()
  require("panicguard").fix_all()
end, { desc = "Apply all safe fixes of panicguard to this buffer" })

vim.api.nvim_create_user_command("PanicguardDebug", function()
  require("panicguard").debug()
end, { desc = "Show the debug information of panicguard's server" })
