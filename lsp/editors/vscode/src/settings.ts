/** The editor's settings, in the form that the server expects in `initialize`. */

import * as vscode from "vscode";

/** The settings that are sent to the server under the same names. The others are about finding and running it. */
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

/** The settings for all folders, and those of each folder of the workspace. */
export function initializationOptions(): Record<string, unknown> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return {
    globalSettings: serverSettings(undefined),
    settings: folders.map(({ uri }) => ({ workspace: uri.toString(), ...serverSettings(uri) })),
  };
}

function serverSettings(folder: vscode.Uri | undefined): Record<string, unknown> {
  const settings = vscode.workspace.getConfiguration("panicguard", folder);
  // What is not set is left out, so that the configuration of the project applies.
  return Object.fromEntries(
    SERVER_SETTINGS.map((name) => [name, withoutNulls(settings.get(name))]).filter(([, value]) => value !== undefined),
  );
}

function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null));
}
