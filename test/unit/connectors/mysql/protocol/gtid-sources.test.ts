import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GtidSources } from '../../../../../connectors/mysql/protocol/gtid-sources.ts';

test('the text of a source is its own, whichever was asked for before', () => {
  const sources = new GtidSources();
  const bytes = Buffer.from('ff3e11fa4771ca11e19e33c80aa94295623e11fa4771ca11e19e33c80aa9429563', 'hex');
  const first = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
  for (const [at, text] of [
    [1, first],
    [1, first],
    [17, `${first.slice(0, -1)}3`],
    [1, first],
  ] as const) {
    assert.equal(sources.ofUuid(bytes, at), text);
  }
  assert.equal(sources.ofUuid(Buffer.alloc(16), 0), '00000000-0000-0000-0000-000000000000');
  for (const [domain, server] of [
    [0, 1],
    [0, 1],
    [0, 2],
    [3, 2],
    [0, 0],
    [4294967295, 1],
  ] as const) {
    assert.equal(sources.ofDomain(domain, server), `${domain}-${server}`);
  }
});
