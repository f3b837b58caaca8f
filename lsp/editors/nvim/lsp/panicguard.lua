-- How Neovim starts the server; `vim.lsp.config("panicguard", {...})` changes any of it.
return {
  cmd = { "panicguard", "server" },
  filetypes = { "python", "go" },
  root_markers = { "panicguard.toml", ".panicguard.toml", "pyproject.toml", ".git", "go.mod" },
  init_options = { settings = vim.empty_dict() },
}
