/** The interpreter that the Python extension has selected, if that extension is there. */

import type { PythonExtension } from "@vscode/python-extension";
import * as vscode from "vscode";

async function environments(): Promise<PythonExtension["environments"] | undefined> {
  try {
    const api = await vscode.extensions.getExtension<PythonExtension>("ms-python.python")?.activate();
    return api?.environments;
  } catch {
    return undefined; // The editor reports that the extension failed, and there are other places to look.
  }
}

export async function selectedInterpreter(folder: vscode.Uri | undefined): Promise<string | undefined> {
  const known = await environments();
  const environment = await known?.resolveEnvironment(known.getActiveEnvironmentPath(folder));
  return environment?.executable.uri?.fsPath;
}

/** Calls `changed` whenever another interpreter is selected. */
export async function onInterpreterChange(changed: () => void): Promise<vscode.Disposable | undefined> {
  return (await environments())?.onDidChangeActiveEnvironmentPath(changed);
}
