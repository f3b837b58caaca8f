/**
 * The extension, packaged, in a real VS Code (code-server) that a real browser shows:
 *
 *     node lsp/editors/vscode/test/run.mjs [--screenshot .github/vscode.png]
 *
 * It needs Chromium (CHROMIUM names another than the first in PATH), and a panicguard: that of the repository's
 * `.venv`, or the one that PANICGUARD names. The first run installs code-server into `.vscode-test`.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const EXTENSION = path.resolve(import.meta.dirname, "..");
const ROOT = path.resolve(EXTENSION, "../../..");
const SERVER = path.join(EXTENSION, ".vscode-test");
const SQUIGGLE = ".squiggly-error, .squiggly-warning";
const { screenshot } = parseArgs({ options: { screenshot: { type: "string" } } }).values;

const BARE = `import asyncio

from app import mruntime


async def greet(names):
    for name in names:
        asyncio.create_task(send(f"Hello, {name}!"))
    asyncio.create_task(log(names))


async def send(text): ...


async def log(names): ...
`;
const GO = "package app\n\nfunc send() {}\n\nfunc Greet() {\n\tgo send()\n}\n";
const FIRST = BARE.replace("asyncio.create_task(send(", 'mruntime.SafeGo("send", mruntime.KeepRunning, send(');
const FIXED = FIRST.replace("asyncio.create_task(log(", 'mruntime.SafeGo("log", mruntime.KeepRunning, log(');

let clock = performance.now();
function done(what) {
  const now = performance.now();
  console.log(`${what} (${((now - clock) / 1000).toFixed(1)} s)`);
  clock = now;
}

function npm(...command) {
  execFileSync("npm", ["--prefix", EXTENSION, ...command], { stdio: ["ignore", "ignore", "inherit"] });
}

if (!fs.existsSync(path.join(EXTENSION, "node_modules/.package-lock.json"))) npm("ci");
npm("run", "package");
execFileSync("bash", [path.join(import.meta.dirname, "setup.sh"), SERVER], { stdio: ["ignore", "ignore", "inherit"] });
done("packaged the extension; code-server is there");

const { chromium } = await import("playwright-core");
const temporary = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "panicguard-vscode-")));
const project = path.join(temporary, "project");
const file = path.join(project, "app.py");
const notebook = path.join(project, "app.ipynb");
const other = path.join(project, "app.go");
let server, browser;
try {
  makeProject();
  server = await serve();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? inPath("chromium"), args: ["--no-sandbox"] });
  const page = await browser.newPage({ viewport: { width: 860, height: 480 } });
  page.setDefaultTimeout(30_000);
  try {
    await use(page);
  } catch (error) {
    const picture = path.join(os.tmpdir(), "panicguard-vscode-failure.png");
    await page.screenshot({ path: picture });
    console.error(server.output());
    console.error(`What the browser showed is in ${picture}`);
    throw error;
  }
} finally {
  await browser?.close();
  server?.kill();
  fs.rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
}

/** A project that nobody trusts yet, with a panicguard in its environment and none in PATH. */
function makeProject() {
  fs.mkdirSync(path.join(project, ".venv", "bin"), { recursive: true });
  fs.symlinkSync(process.env.PANICGUARD ?? path.join(ROOT, ".venv/bin/panicguard"), path.join(project, ".venv/bin/panicguard"));
  const runtimes = 'runtime-module = "app.mruntime"\ngo-runtime = "example.test/app/mruntime"\n';
  fs.writeFileSync(path.join(project, "panicguard.toml"), runtimes);
  fs.writeFileSync(file, BARE);
  fs.writeFileSync(notebook, JSON.stringify(cells(BARE), null, 1));
  const settings = {
    "editor.codeActionsOnSave": { "source.fixAll.panicguard": "explicit" },
    "notebook.codeActionsOnSave": { "notebook.source.fixAll.panicguard": "explicit" },
    "editor.minimap.enabled": false,
    "extensions.ignoreRecommendations": true,
    "security.workspace.trust.banner": "never",
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    "window.commandCenter": false,
    "workbench.activityBar.location": "hidden",
    "workbench.layoutControl.enabled": false,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": false,
  };
  fs.mkdirSync(path.join(temporary, "data", "User"), { recursive: true });
  fs.writeFileSync(path.join(temporary, "data", "User", "settings.json"), JSON.stringify(settings));
}

/** Starts code-server with the extension in it, on a port of its own choice. */
async function serve() {
  const entry = path.join(SERVER, "node_modules/code-server/out/node/entry.js");
  const folders = ["--user-data-dir", path.join(temporary, "data"), "--extensions-dir", path.join(temporary, "extensions")];
  const env = { ...process.env, HOME: temporary, PATH: withoutPanicguard(process.env.PATH), EXTENSIONS_GALLERY: "{}" };
  const options = { env, stdio: ["ignore", "pipe", "pipe"] };
  execFileSync("node", [entry, ...folders, "--install-extension", path.join(EXTENSION, "panicguard.vsix")], options);
  const flags = ["--auth", "none", "--bind-addr", "127.0.0.1:0", "--disable-telemetry", "--disable-update-check"];
  const child = spawn("node", [entry, ...folders, ...flags, project], options);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  child.output = () => output;
  await until("code-server", () => (child.address = /HTTP server listening on (\S+)/.exec(output)?.[1]));
  return child;
}

async function use(page) {
  await page.goto(`${server.address}?folder=${encodeURIComponent(project)}`);
  await page.locator(".explorer-folders-view .monaco-list-row", { hasText: "app.py" }).dblclick();
  await page.locator(".tab", { hasText: "app.py" }).waitFor();
  const status = page.locator('.statusbar-item[id*="panicguard"]');

  await status.filter({ hasText: "panicguard" }).waitFor();
  assert.match(await status.getAttribute("aria-label"), /was not found/);
  assert.equal(await page.locator(SQUIGGLE).count(), 0);
  done("a workspace that is not trusted: its panicguard was not run");

  await command(page, "Workspaces: Manage Workspace Trust");
  await page.getByRole("button", { name: "Trust", exact: true }).click();
  await status.filter({ hasText: /panicguard \d+\.\d+/ }).waitFor();
  await command(page, "View: Close Editor");
  await page.locator(SQUIGGLE).nth(1).waitFor();
  await problems(page, 2);
  done("trusted: two squiggles, and the version in the status bar");

  await command(page, "View: Toggle Primary Side Bar Visibility");
  const { x, y, width, height } = await page.locator(SQUIGGLE).first().boundingBox();
  const spawn = [x + width * 0.8, y + height / 2];
  await page.mouse.move(...spawn, { steps: 5 });
  await page.locator(".monaco-hover", { hasText: "PNC101" }).waitFor();
  done("the hover says what is wrong");

  await page.mouse.click(...spawn);
  await page.mouse.move(0, 0);
  await page.keyboard.press("Escape");
  await page.locator(".monaco-hover", { hasText: "PNC101" }).waitFor({ state: "hidden" });
  await page.keyboard.press("Control+.");
  await page.locator(".action-widget .action", { hasText: "PNC101" }).first().waitFor();
  if (screenshot) await page.screenshot({ path: screenshot });
  await page.keyboard.press("Enter");
  await until("the first fix in the editor", async () => (await editorText(page)).includes('SafeGo("send"'));
  assert.equal(fs.readFileSync(file, "utf8"), BARE);
  done("the quick fix is in the editor, and not yet on disk");

  await page.keyboard.press("Control+s");
  await until("the fixed file on disk", () => fs.readFileSync(file, "utf8") === FIXED);
  await page.locator(SQUIGGLE).waitFor({ state: "detached" });
  done("saved: what was left is fixed, too, on disk");

  for (const count of [1, 2]) {
    await page.keyboard.press("Control+z");
    await problems(page, count);
  }
  const settings = path.join(project, ".vscode", "settings.json");
  fs.mkdirSync(path.dirname(settings));
  fs.writeFileSync(settings, JSON.stringify({ "panicguard.lint.ignore": ["bare-asyncio-task"] }));
  await problems(page, 0);
  fs.rmSync(settings);
  await problems(page, 2);
  done("a rule is ignored for as long as the settings say so");

  await command(page, "panicguard: Fix All Auto-fixable Problems");
  await until("all fixes in the editor", async () => (await editorText(page)).split("SafeGo").length === 3);
  done("the command fixes all");

  await page.keyboard.press("Control+s");
  await command(page, "View: Toggle Primary Side Bar Visibility");
  await page.locator(".explorer-folders-view .monaco-list-row", { hasText: "app.ipynb" }).dblclick();
  await page.locator(`.notebook-editor :is(${SQUIGGLE})`).nth(1).waitFor();
  await problems(page, 2);
  await page.locator(".notebook-editor .view-line").first().click();
  await page.keyboard.press("Control+s");
  await until("the fixed notebook on disk", () => cellsOf(notebook) === FIXED);
  done("a notebook: squiggles, and fixes on save");

  fs.writeFileSync(other, GO); // only now: what is in the workspace is reported before it is opened, too
  await page.locator(".explorer-folders-view .monaco-list-row", { hasText: "app.go" }).dblclick();
  await page.locator(".tab", { hasText: "app.go" }).waitFor();
  await page.locator(SQUIGGLE).first().waitFor();
  await problems(page, 1);
  await command(page, "panicguard: Fix All Auto-fixable Problems");
  await problems(page, 0);
  await page.keyboard.press("Control+s");
  await until("the fixed Go file on disk", () => /\tmruntime\.SafeGoWithContextAndComponent\(/.test(fs.readFileSync(other, "utf8")));
  done("a Go file: a squiggle, and the command fixes it");

  await command(page, "panicguard: Restart Server");
  await command(page, "panicguard: Print Debug Information");
  await page.locator(".part.panel .view-line", { hasText: "project/panicguard.toml" }).first().waitFor();
  done("the server was restarted, and the log has its debug information");

  // Two folders, one in the other, and what is reported in the outer one is ignored in the inner.
  const inner = path.join(project, "inner");
  fs.mkdirSync(path.join(inner, ".vscode"), { recursive: true });
  fs.writeFileSync(path.join(inner, ".vscode", "settings.json"), JSON.stringify({ "panicguard.lint.ignore": ["PNC101"] }));
  fs.writeFileSync(path.join(inner, "ignored.py"), BARE);
  fs.writeFileSync(path.join(project, "reported.py"), BARE);
  const workspace = path.join(project, "both.code-workspace");
  fs.writeFileSync(workspace, JSON.stringify({ folders: [{ path: "." }, { path: "inner" }] }));
  const explorer = page.locator(".explorer-folders-view .monaco-list-row", { hasText: "ignored.py" });
  for (let tries = 3; ; tries--) {
    await page.goto(`${server.address}?workspace=${encodeURIComponent(workspace)}`);
    try {
      await explorer.waitFor();
      break;
    } catch (error) {
      if (tries === 1) throw error; // now and then VS Code comes up without the workspace it was asked for
    }
  }
  for (const name of ["ignored.py", "reported.py"]) {
    await page.locator(".explorer-folders-view .monaco-list-row", { hasText: name }).dblclick();
    await page.locator(".tab", { hasText: name }).waitFor();
  }
  await page.locator(SQUIGGLE).nth(1).waitFor();
  await problems(page, 2);
  await status.filter({ hasText: /panicguard \d+\.\d+/ }).waitFor();
  done("two folders: each with the settings of its own");
}

/** A notebook of one cell. */
function cells(code) {
  const cell = { cell_type: "code", execution_count: null, id: "a", metadata: {}, outputs: [], source: code.split(/(?<=\n)/) };
  const kernel = { display_name: "Python 3", language: "python", name: "python3" };
  return { cells: [cell], metadata: { kernelspec: kernel, language_info: { name: "python" } }, nbformat: 4, nbformat_minor: 5 };
}

function cellsOf(path) {
  return JSON.parse(fs.readFileSync(path, "utf8")).cells.flatMap((cell) => cell.source).join("");
}

async function command(page, title) {
  await page.locator(".monaco-workbench").waitFor();
  await page.keyboard.press("F1");
  const input = page.locator(".quick-input-widget input[type=text]");
  await input.waitFor();
  await input.fill(`>${title}`);
  await page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
}

/** Waits for the status bar to count that many errors and warnings. */
async function problems(page, count) {
  const bar = page.locator("#status\\.problems");
  const counted = async () => (await bar.innerText()).match(/\d+/g).reduce((sum, number) => sum + Number(number), 0);
  await until(`${count} problems`, async () => (await counted()) === count);
}

async function editorText(page) {
  // VS Code draws spaces as no-break spaces.
  return (await page.locator(".editor-instance .view-lines").first().innerText()).replaceAll("\u00a0", " ");
}

async function until(what, condition) {
  for (const end = performance.now() + 30_000; !(await condition()); ) {
    assert.ok(performance.now() < end, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function withoutPanicguard(searchPath) {
  const folders = searchPath.split(path.delimiter);
  return folders.filter((folder) => !fs.existsSync(path.join(folder, "panicguard"))).join(path.delimiter);
}

function inPath(name) {
  const folder = process.env.PATH.split(path.delimiter).find((folder) => fs.existsSync(path.join(folder, name)));
  assert.ok(folder, `${name} is not in PATH`);
  return path.join(folder, name);
}
