import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { expand } from '../../../src/config/expand.ts';
import { parseYaml } from '../../../src/config/yaml-document.ts';

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is how a configuration names a variable. */
describe('expansion', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tailrace-expand-'));
    writeFileSync(join(directory, 'secret'), 'from a file\n\n');
  });
  after(() => rmSync(directory, { recursive: true }));

  const env = { NAME: 'value', EMPTY: '', NESTED: '${NAME} $$' };
  const CASES: [text: string, expected: string][] = [
    ['${NAME}', 'value'],
    ['a${NAME}b${NAME}', 'avaluebvalue'],
    ['${EMPTY}', ''],
    ['${EMPTY:-x}', 'x'],
    ['${MISSING:-x y}', 'x y'],
    ['${MISSING:-}', ''],
    ['${NAME:-x}', 'value'],
    ['$${NAME}', '${NAME}'],
    ['$$${NAME}', '$value'],
    ['a$ $b public\\.t$', 'a$ $b public\\.t$'],
    ['${NESTED}', '${NAME} $$'],
    ['${file:secret}', 'from a file\n'],
  ];
  for (const [text, expected] of CASES) {
    it(`${text} → ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(expand({ a: [text] }, { env, directory }), { value: { a: [expected] }, problems: [] });
    });
  }

  const WRONG: [text: string, message: RegExp][] = [
    ['${MISSING}', /environment variable MISSING, which is not set/],
    ['${toString}', /environment variable toString, which is not set/],
    ['${file:absent}', /file "absent", which cannot be read \(ENOENT\)/],
    ['${file:.}', /cannot be read \(EISDIR\)/],
    ['${env:NAME}', /none of the forms/],
    ['${}', /none of the forms/],
    ['${NAME-x}', /none of the forms/],
    ['${A:-${B}}', /none of the forms/],
    ['${NAME', /without its }/],
  ];
  for (const [text, message] of WRONG) {
    it(`${text} is a problem`, () => {
      const { problems } = expand({ a: [text] }, { env, directory });
      assert.equal(problems.length, 1);
      assert.deepEqual(problems[0]!.path, ['a', 0]);
      assert.match(problems[0]!.message, message);
      assert.notEqual(problems[0]!.remedy, '');
    });
  }

  it('leaves numbers, flags and nothing as they are', () => {
    const document = { a: 1, b: true, c: null };
    assert.deepEqual(expand(document, { env, directory }).value, document);
  });
});

describe('references in YAML', () => {
  const env = { A: 'x: {y}, "z" # [1]' };
  const CASES: [yaml: string, expected: unknown][] = [
    ['a: ${A}', { a: env.A }],
    ['{ a: ${A}, b: ${A} }', { a: env.A, b: env.A }],
    ['a: [${A}, "${A}"]', { a: [env.A, env.A] }],
    ['{ a: ${M:-x, y: #z} }', { a: 'x, y: #z' }],
    ["a: '${M:-it''s}'", { a: "it's" }],
    ['a: "${M:-\\"q\\"}"', { a: '"q"' }],
    ['a: p:${A}@h # ${M}', { a: `p:${env.A}@h` }],
    ['a: $${A}', { a: '${A}' }],
    ['{ a: "\\uFDD0", b: "${A}" }', { a: '\ufdd0', b: env.A }],
    ['a: "﷐"', { a: '﷐' }],
  ];
  for (const [yaml, expected] of CASES) {
    it(yaml, () => {
      const document = parseYaml(yaml);
      assert.deepEqual(document.problems, []);
      assert.deepEqual(expand(document.value, { env, directory: '/' }), { value: expected, problems: [] });
    });
  }
});
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above. */
