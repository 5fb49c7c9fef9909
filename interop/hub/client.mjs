// Reads the registry that run.sh has started, by @huggingface/hub. The argument is the folder of run.sh.
import assert from "node:assert";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { downloadFile, fileDownloadInfo, fileExists, listFiles, listModels, modelInfo } from "@huggingface/hub";

const work = process.argv[2];
const hubUrl = process.env.HF_ENDPOINT;
const repo = "acme/mood";
const adapter = readFileSync(`${work}/mood.nola`);
const files = new Map(readdirSync(`${work}/exported`).map((name) => [name, readFileSync(`${work}/exported/${name}`)]));
files.set("adapter.nola", adapter);
files.set("model.sig", readFileSync(`${work}/model.sig`));

const info = await modelInfo({ name: repo, hubUrl, additionalFields: ["sha"] });
assert.equal(info.name, repo);
assert.equal(info.sha, createHash("sha256").update(adapter).digest("hex").slice(0, 40));

const listed = [];
for await (const file of listFiles({ repo, hubUrl, recursive: true })) listed.push(file.path);
assert.deepEqual(listed.sort(), [...files.keys()].sort());

const models = [];
for await (const model of listModels({ hubUrl, search: { owner: "acme" } })) models.push(model.name);
assert.deepEqual(models.sort(), ["acme/direct", "acme/mood"]);

for (const [path, content] of files) {
  const blob = await downloadFile({ repo, path, revision: "prod", hubUrl });
  assert.deepEqual(Buffer.from(await blob.arrayBuffer()), content, path);
  assert.equal((await fileDownloadInfo({ repo, path, hubUrl })).size, content.length);
}
const slice = (await downloadFile({ repo, path: "adapter_model.safetensors", hubUrl })).slice(1000, 1100);
assert.deepEqual(Buffer.from(await slice.arrayBuffer()), files.get("adapter_model.safetensors").subarray(1000, 1100));
assert.equal(await fileExists({ repo, path: "config.json", hubUrl }), false);
assert.equal(await downloadFile({ repo, path: "config.json", hubUrl }), null);
console.log(`${files.size} files read by @huggingface/hub`);
