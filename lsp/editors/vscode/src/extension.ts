/** Starts `panicguard server` for the window, and stops it. Everything else is the server's. */

import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, RevealOutputChannelOn } from "vscode-languageclient/node";

import { findPanicguard } from "./find";
import { onInterpreterChange, selectedInterpreter } from "./interpreter";
import { initializationOptions } from "./settings";

const LANGUAGES = ["python", "go"];
const SCHEMES = ["file", "untitled", "vscode-notebook", "vscode-notebook-cell"];

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("panicguard", { log: true });
  const trace = vscode.window.createOutputChannel("panicguard trace");
  const status = vscode.window.createStatusBarItem("panicguard", vscode.StatusBarAlignment.Right, 100);
  status.name = "panicguard";
  status.command = "panicguard.showLogs";
  let client: LanguageClient | undefined;

  async function start(): Promise<void> {
    const settings = vscode.workspace.getConfiguration("panicguard");
    if (!settings.get<boolean>("enable", true)) {
      status.hide();
      return;
    }
    const command = await locate();
    if (command === undefined) {
      show("$(warning) panicguard", "panicguard was not found: install it, or set `panicguard.path`.");
      log.warn("panicguard was not found: install it into the workspace's environment, or set `panicguard.path`.");
      return;
    }
    log.info(`Running ${command} server`);
    client = new LanguageClient("panicguard", "panicguard", { command, args: ["server"] }, options(log, trace));
    show("$(sync~spin) panicguard", command);
    try {
      await client.start();
      const version = client.initializeResult?.serverInfo?.version ?? "";
      show(`panicguard ${version}`.trim(), command);
    } catch (error) {
      log.error(`The server did not start: ${String(error)}`);
      show("$(error) panicguard", `${command} server did not start: see the log.`);
    }
  }

  async function stop(): Promise<void> {
    const stopping = client;
    client = undefined;
    // Disposing of a client that failed to start is an error; nothing of it is left running.
    await stopping?.dispose().catch((error: unknown) => log.warn(String(error)));
  }

  function show(text: string, tooltip: string): void {
    status.text = text;
    status.tooltip = tooltip;
    status.show();
  }

  // Restarts are queued: settings, interpreter and trust may change while a server is starting.
  let turn = Promise.resolve();
  function restart(): Promise<void> {
    turn = turn.then(stop).then(start);
    return turn;
  }

  async function fixAll(): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    if (client === undefined || document === undefined) return;
    await client.sendRequest("workspace/executeCommand", {
      command: "panicguard.applyAutofix",
      arguments: [{ uri: client.code2ProtocolConverter.asUri(document.uri), version: document.version }],
    });
  }

  async function printDebugInformation(): Promise<void> {
    const uri = vscode.window.activeTextEditor?.document.uri;
    const information = await client?.sendRequest<unknown>("workspace/executeCommand", {
      command: "panicguard.printDebugInformation",
      arguments: uri && client ? [{ uri: client.code2ProtocolConverter.asUri(uri) }] : [],
    });
    if (information !== undefined) log.info(String(information));
    log.show();
  }

  context.subscriptions.push(
    log,
    trace,
    status,
    { dispose: stop },
    vscode.commands.registerCommand("panicguard.restart", restart),
    vscode.commands.registerCommand("panicguard.showLogs", () => log.show()),
    vscode.commands.registerCommand("panicguard.executeAutofix", fixAll),
    vscode.commands.registerCommand("panicguard.debugInformation", printDebugInformation),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      // The client itself listens for the trace.
      if (change.affectsConfiguration("panicguard") && !change.affectsConfiguration("panicguard.trace")) await restart();
    }),
  );
  const listening = await onInterpreterChange(restart);
  if (listening) context.subscriptions.push(listening);
  await restart();
}

async function locate(): Promise<string | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  const settings = vscode.workspace.getConfiguration("panicguard");
  const places = folders.length ? folders.map((folder) => folder.uri) : [undefined];
  const selected = (await Promise.all(places.map(selectedInterpreter))).filter((path) => path !== undefined);
  return findPanicguard({
    paths: settings.get<string[]>("path", []),
    interpreters: [...settings.get<string[]>("interpreter", []), ...selected],
    folders: folders.map((folder) => folder.uri.fsPath),
    searchPath: process.env.PATH ?? "",
    trusted: vscode.workspace.isTrusted,
  });
}

function options(log: vscode.LogOutputChannel, trace: vscode.OutputChannel): LanguageClientOptions {
  return {
    documentSelector: SCHEMES.flatMap((scheme) => LANGUAGES.map((language) => ({ scheme, language }))),
    outputChannel: log,
    traceOutputChannel: trace,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationOptions: initializationOptions(),
  };
}
