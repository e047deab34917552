import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mysqlError, streamError } from '../../../../connectors/mysql/server-error.ts';

const named = (code: string, message = 'words') => Object.assign(new Error(message), { code });
const numbered = (errno: number) => Object.assign(new Error('words'), { errno, sqlMessage: 'of the server' });

test('errors of the driver by their codes', () => {
  const cases: [error: Error, errorClass: string, code: string][] = [
    [named('ECONNREFUSED'), 'transient', 'MYSQL_UNAVAILABLE'],
    [named('PROTOCOL_CONNECTION_LOST'), 'transient', 'MYSQL_UNAVAILABLE'],
    [named('HANDSHAKE_NO_SSL_SUPPORT'), 'configuration', 'MYSQL_NO_TLS'],
    [named('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC'), 'transient', 'MYSQL_CONNECTION_LOST'],
    [named('AUTH_SWITCH_PLUGIN_ERROR'), 'configuration', 'MYSQL_AUTHENTICATION'],
    [named('ODD'), 'fatal', 'MYSQL_UNEXPECTED'],
  ];
  for (const [error, errorClass, code] of cases) {
    const classified = mysqlError(error, 'connecting');
    assert.deepEqual([classified.errorClass, classified.code], [errorClass, code]);
    assert.notEqual(classified.remedy, '');
    assert.match(classified.message, /while connecting: words/);
  }
});

test('what is wrong with a certificate is configuration, in words of our own', () => {
  const classified = mysqlError(named('SELF_SIGNED_CERT_IN_CHAIN'), 'connecting');
  assert.deepEqual([classified.errorClass, classified.code], ['configuration', 'MYSQL_TLS']);
  assert.match(classified.message, /while connecting: the certificate of the server is not signed by an authority/);
  assert.match(classified.remedy, /tls\.ca_file/);
});

test('errors of the server by their numbers', () => {
  const cases: [number: number, errorClass: string, code: string][] = [
    [1040, 'transient', 'MYSQL_TOO_MANY_CONNECTIONS'],
    [1045, 'configuration', 'MYSQL_AUTHENTICATION'],
    [1227, 'configuration', 'MYSQL_PRIVILEGE_MISSING'],
    [1820, 'configuration', 'MYSQL_PASSWORD_EXPIRED'],
    [4052, 'transient', 'MYSQL_SERVER_ID_IN_USE'],
    [9999, 'fatal', 'MYSQL_UNEXPECTED'],
  ];
  for (const [number, errorClass, code] of cases) {
    const classified = mysqlError(numbered(number), 'asking');
    assert.deepEqual([classified.errorClass, classified.code], [errorClass, code]);
    assert.match(classified.message, new RegExp(`while asking: of the server \\(${number}\\)`));
  }
});

/** As servers said it: MySQL 9.7 and MariaDB 11.8. */
test('the end of a dump is told apart by its recorded words', () => {
  const cases: [text: string, errorClass: string, code: string][] = [
    ['Could not find first log file name in binary log index file', 'resync-required', 'MYSQL_BINLOG_PURGED'],
    [
      'Cannot replicate because the source purged required binary logs. Replicate the missing transactions from elsewhere, or provision a new replica from backup.',
      'resync-required',
      'MYSQL_BINLOG_PURGED',
    ],
    [
      "Error: connecting slave requested to start from GTID 0-1-7, which is not in the master's binlog",
      'resync-required',
      'MYSQL_GTID_NOT_IN_BINLOG',
    ],
    [
      'A replica with the same server_uuid/server_id as this replica has connected to the source; the first event',
      'transient',
      'MYSQL_SERVER_ID_IN_USE',
    ],
    ['something new', 'fatal', 'MYSQL_DUMP_REFUSED'],
  ];
  for (const [text, errorClass, code] of cases) {
    const classified = streamError(1236, text);
    assert.deepEqual([classified.errorClass, classified.code], [errorClass, code], text);
  }
});
