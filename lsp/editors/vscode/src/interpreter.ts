/** The interpreter that the Python extension has selected, if that extension is there. */

import * as vscode from "vscode";

interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(
      environment: { readonly path: string },
    ): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function environments(): Promise<PythonApi["environments"] | undefined> {
  const api = await vscode.extensions.getExtension<PythonApi>("ms-python.python")?.activate();
  return api?.environments;
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
