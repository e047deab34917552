import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { configurationJsonSchema } from '../../../src/config/json-schema.ts';
import { VALID } from './parse-text.ts';

/** The validator that fastify brings along: not the library that made the schema. */
const { default: Ajv } = createRequire(createRequire(import.meta.url).resolve('fastify'))('ajv/dist/2020');
const validate = new Ajv({ strict: false, formats: { regex: true } }).compile(configurationJsonSchema());

const EXAMPLES = join(import.meta.dirname, '..', '..', '..', 'deploy', 'config');

describe('the JSON Schema', () => {
  for (const name of readdirSync(EXAMPLES).filter((file) => file.endsWith('.yaml'))) {
    it(`accepts deploy/config/${name}`, () => {
      assert.ok(validate(parse(readFileSync(join(EXAMPLES, name), 'utf8'))), JSON.stringify(validate.errors));
    });
  }

  const WRONG: [what: string, text: string][] = [
    ['an unknown section', `${VALID}logs: {}`],
    ['an unknown setting', VALID.replace('brokers:', 'broker:')],
    ['an unknown word', `${VALID}log: { level: loud }`],
    ['a duration without unit', `${VALID}checkpoint: { interval: 5 }`],
    ['a source without a name', VALID.replace('name: shop', 'topic_prefix: shop')],
    ['no sources', VALID.slice(0, VALID.indexOf('sources:'))],
  ];
  for (const [what, text] of WRONG) it(`refuses ${what}`, () => assert.ok(!validate(parse(text))));
});
