/** Which panicguard is run, and that none out of an untrusted workspace is. */

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";

import { buildSync } from "esbuild";

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "panicguard-find-")));
after(() => fs.rmSync(root, { recursive: true }));

const bundle = path.join(root, "find.mjs");
buildSync({ entryPoints: [path.join(import.meta.dirname, "../src/find.ts")], outfile: bundle, platform: "node", format: "esm" });
const { findPanicguard } = await import(bundle);

function executable(...parts) {
  const file = path.join(root, ...parts);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, "", { mode: 0o755 });
  return file;
}

const folder = path.join(root, "project");
const set = executable("set", "panicguard");
const inFolder = executable("project", "tools", "panicguard");
const selected = executable("conda", "bin", "panicguard");
const venv = executable("project", ".venv", "bin", "panicguard");
const onPath = executable("local", "panicguard");
const nowhere = path.join(root, "nowhere");
const all = {
  paths: [path.join(nowhere, "panicguard"), set],
  interpreters: [path.join(root, "conda", "bin", "python")],
  folders: [folder],
  searchPath: [nowhere, path.dirname(onPath)].join(path.delimiter),
  trusted: true,
};

test("the setting, the interpreter's, that of .venv, that of PATH", () => {
  assert.equal(findPanicguard(all), set);
  assert.equal(findPanicguard({ ...all, paths: [] }), selected);
  assert.equal(findPanicguard({ ...all, paths: [], interpreters: [] }), venv);
  assert.equal(findPanicguard({ ...all, paths: [], interpreters: [], folders: [nowhere] }), onPath);
  assert.equal(findPanicguard({ ...all, paths: [], interpreters: [], folders: [], searchPath: nowhere }), undefined);
});

test("variables are expanded, and a folder is not a program", () => {
  assert.equal(findPanicguard({ ...all, paths: ["${workspaceFolder}/tools/panicguard"] }), inFolder);
  assert.equal(findPanicguard({ ...all, paths: [path.dirname(set)] }), selected);
});

test("nothing in an untrusted workspace is run", () => {
  const untrusted = { ...all, trusted: false };
  const inside = { paths: [inFolder], interpreters: [path.join(folder, ".venv", "bin", "python")] };
  assert.equal(findPanicguard({ ...untrusted, ...inside }), onPath);
  for (const searchPath of [path.dirname(inFolder), "", ".", "tools"])
    assert.equal(findPanicguard({ ...untrusted, ...inside, searchPath }), undefined);
});

test("nor by a link, into the workspace or out of it", () => {
  const link = path.join(root, "linked");
  fs.symlinkSync(folder, link);
  const alias = path.join(root, "alias", "panicguard");
  fs.mkdirSync(path.dirname(alias));
  fs.symlinkSync(inFolder, alias);
  const leading = path.join(folder, "out");
  fs.symlinkSync(set, leading);
  for (const file of [alias, path.join(link, "tools", "panicguard"), leading])
    assert.equal(findPanicguard({ ...all, trusted: false, paths: [file] }), selected, file);
  assert.equal(findPanicguard({ ...all, trusted: false, folders: [link], paths: [inFolder] }), selected);
});
