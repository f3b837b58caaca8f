/** The editor's settings, as the server wants them at its start. */

import * as vscode from "vscode";

/** Those that the server is told, by the same names. The rest is about finding and running it. */
const SERVER_SETTINGS = [
  "configuration",
  "configurationPreference",
  "exclude",
  "fixAll",
  "codeAction",
  "lint",
  "showSyntaxErrors",
  "logLevel",
  "logFile",
];

/** What holds everywhere, and in each folder of the workspace. */
export function initializationOptions(): Record<string, unknown> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return {
    globalSettings: serverSettings(undefined),
    settings: folders.map(({ uri }) => ({ workspace: uri.toString(), ...serverSettings(uri) })),
  };
}

function serverSettings(folder: vscode.Uri | undefined): Record<string, unknown> {
  const settings = vscode.workspace.getConfiguration("panicguard", folder);
  // What is not set is left out: the server then takes the project's.
  return Object.fromEntries(
    SERVER_SETTINGS.map((name) => [name, withoutNulls(settings.get(name))]).filter(([, value]) => value !== undefined),
  );
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}
