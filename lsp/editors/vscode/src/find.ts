/** Finds the panicguard to run. Knows nothing of the editor, so that it can be tested without one. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export interface Surroundings {
  /** The setting `panicguard.path`. */
  readonly paths: readonly string[];
  /** Python interpreters, the preferred one first. */
  readonly interpreters: readonly string[];
  /** The folders of the workspace, absolute. */
  readonly folders: readonly string[];
  /** The environment variable PATH. */
  readonly searchPath: string;
  /** Whether executables inside the workspace may be run. */
  readonly trusted: boolean;
}

const WINDOWS = process.platform === "win32";
const NAME = WINDOWS ? "panicguard.exe" : "panicguard";
const SCRIPTS = WINDOWS ? "Scripts" : "bin";

/** The first panicguard that exists and may be run, or undefined. */
export function findPanicguard(surroundings: Surroundings): string | undefined {
  const { folders, trusted } = surroundings;
  return [...candidates(surroundings)].find(
    (file) => path.isAbsolute(file) && isExecutable(file) && (trusted || !folders.some((folder) => reaches(folder, file))),
  );
}

function* candidates({ paths, interpreters, folders, searchPath }: Surroundings): Generator<string> {
  yield* paths.map((text) => expand(text, folders[0]));
  yield* interpreters.map((text) => path.join(path.dirname(expand(text, folders[0])), NAME));
  yield* folders.map((folder) => path.join(folder, ".venv", SCRIPTS, NAME));
  yield* searchPath.split(path.delimiter).map((folder) => path.join(folder, NAME));
}

function expand(text: string, folder: string | undefined): string {
  const home = text.replace(/^~(?=$|[\\/])/, os.homedir());
  return folder === undefined ? home : home.replaceAll("${workspaceFolder}", folder);
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Whether the file is in the folder, by its name or by where links lead. */
function reaches(folder: string, file: string): boolean {
  const real = fs.realpathSync(folder);
  return [file, fs.realpathSync(file)].some((place) => isWithin(folder, place) || isWithin(real, place));
}

function isWithin(folder: string, file: string): boolean {
  const way = path.relative(folder, file);
  return way !== ".." && !way.startsWith(`..${path.sep}`) && !path.isAbsolute(way);
}
