-- How Neovim starts the server; `vim.lsp.config("panicguard", {...})` changes any of it.
return {
  cmd = { "panicguard", "server" },
  filetypes = { "python" },
  root_markers = { "panicguard.toml", ".panicguard.toml", "pyproject.toml", ".git" },
  init_options = { settings = vim.empty_dict() },
}
