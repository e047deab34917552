import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationError } from '../../../src/core/errors.ts';
import { ScramClient } from '../../../src/kafka/scram.ts';

const SERVER_FIRST = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';

test('the exchange of RFC 7677, section 3', async () => {
  const client = new ScramClient('scram-sha-256', 'user', 'pencil', 'rOprNGfwEbeRWgbNEkqO');
  assert.equal(client.first().toString(), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  assert.equal(
    (await client.final(Buffer.from(SERVER_FIRST))).toString(),
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  );
  assert.ok(client.verifies(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')));
  assert.ok(!client.verifies(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G0=')));
  assert.ok(!client.verifies(Buffer.from('e=invalid-proof')));
});

test('names with the separators of the protocol are escaped', () => {
  assert.equal(new ScramClient('scram-sha-512', 'a=b,c', 'p', 'x').first().toString(), 'n,,n=a=3Db=2Cc,r=x');
});

test('a server that does not continue our nonce, or asks for too little or too much work, is refused', async () => {
  const bad = [
    SERVER_FIRST.replace('rOpr', 'XOpr'),
    SERVER_FIRST.replace(/r=[^,]+/, 'r=rOprNGfwEbeRWgbNEkqO'),
    SERVER_FIRST.replace('i=4096', 'i=1'),
    SERVER_FIRST.replace('i=4096', 'i=4000000000'),
    SERVER_FIRST.replace(/,s=[^,]+/, ''),
    'e=unknown-user',
    '',
  ];
  for (const serverFirst of bad) {
    const client = new ScramClient('scram-sha-256', 'user', 'pencil', 'rOprNGfwEbeRWgbNEkqO');
    await assert.rejects(client.final(Buffer.from(serverFirst)), ConfigurationError, serverFirst);
  }
});
