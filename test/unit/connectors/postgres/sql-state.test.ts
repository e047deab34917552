import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTlsUnsupported, postgresError } from '../../../../connectors/postgres/sql-state.ts';
import type { ErrorClass } from '../../../../src/core/errors.ts';

// Words and codes as servers 14 to 18, Node and the driver give them.
const SAMPLES: [code: string | null, message: string, expected: ErrorClass, ours: string][] = [
  ['42704', 'publication "tailrace_shop" does not exist', 'resync-required', 'POSTGRES_PUBLICATION_MISSING'],
  ['42704', 'replication slot "tailrace_shop" does not exist', 'resync-required', 'POSTGRES_SLOT_MISSING'],
  ['42704', 'role "nobody" does not exist', 'configuration', 'POSTGRES_OBJECT_MISSING'],
  ['55006', 'replication slot "s" is active for PID 4711', 'transient', 'POSTGRES_SLOT_IN_USE'],
  ['55000', 'can no longer get changes from replication slot "s"', 'resync-required', 'POSTGRES_SLOT_INVALIDATED'],
  ['55000', 'can no longer access replication slot "s"', 'resync-required', 'POSTGRES_SLOT_INVALIDATED'],
  ['55000', 'cannot use replication slot "s" for logical decoding', 'transient', 'POSTGRES_SLOT_SYNCHRONISED'],
  ['55000', 'logical decoding requires wal_level >= logical', 'configuration', 'POSTGRES_NOT_IN_STATE'],
  [
    '58P01',
    'requested WAL segment 000000010000000000000003 has already been removed',
    'resync-required',
    'POSTGRES_WAL_REMOVED',
  ],
  ['28P01', 'password authentication failed for user "cdc"', 'configuration', 'POSTGRES_AUTHENTICATION'],
  ['42501', 'permission denied to start WAL sender', 'configuration', 'POSTGRES_PRIVILEGE_MISSING'],
  ['53300', 'sorry, too many clients already', 'transient', 'POSTGRES_UNAVAILABLE'],
  ['57P01', 'terminating connection due to administrator command', 'transient', 'POSTGRES_UNAVAILABLE'],
  ['57P03', 'the database system is starting up', 'transient', 'POSTGRES_UNAVAILABLE'],
  ['40001', 'could not serialize access', 'transient', 'POSTGRES_UNAVAILABLE'],
  ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1', 'transient', 'POSTGRES_UNAVAILABLE'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', 'configuration', 'POSTGRES_TLS'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tlsv1 alert unknown ca', 'configuration', 'POSTGRES_TLS'],
  ['ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC', 'bad record mac', 'transient', 'POSTGRES_CONNECTION_LOST'],
  [null, 'There was an error establishing an SSL connection', 'transient', 'POSTGRES_UNAVAILABLE'],
  [
    null,
    'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
    'configuration',
    'POSTGRES_AUTHENTICATION',
  ],
  [
    null,
    'SASL: SCRAM-SERVER-FINAL-MESSAGE: server signature does not match',
    'configuration',
    'POSTGRES_SERVER_UNPROVEN',
  ],
  [null, 'Connection terminated unexpectedly', 'transient', 'POSTGRES_CONNECTION_LOST'],
  [null, 'timeout expired', 'transient', 'POSTGRES_CONNECT_TIMEOUT'],
  [null, 'The server does not support SSL connections', 'configuration', 'POSTGRES_NO_TLS'],
  ['XX000', 'something broke', 'fatal', 'POSTGRES_UNEXPECTED'],
  [null, 'something broke', 'fatal', 'POSTGRES_UNEXPECTED'],
];

for (const [code, message, expected, ours] of SAMPLES) {
  test(`${code ?? 'no code'}: ${message}`, () => {
    const thrown = Object.assign(new Error(message), code === null ? {} : { code });
    const error = postgresError(thrown, 'testing');
    assert.deepEqual([error.errorClass, error.code], [expected, ours]);
    assert.equal(error.cause, thrown);
    assert.ok(error.remedy !== '' && error.message.includes('testing'));
    assert.equal(postgresError(error, 'again'), error, 'an error is classified once');
    assert.equal(isTlsUnsupported(thrown), ours === 'POSTGRES_NO_TLS');
  });
}
