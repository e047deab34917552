import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect, createServer, type Server, type TlsOptions } from 'node:tls';
import { tlsFault } from '../../../src/core/tls-fault.ts';
import { CertificateAuthority } from '../../support/certificate.ts';

const authority = new CertificateAuthority('authority');
const stranger = new CertificateAuthority('stranger');

/** What a client's connection ends with, as Node says it. */
async function failure(server: TlsOptions, client: ConnectionOptions): Promise<unknown> {
  const listening: Server = createServer(server, (socket) => socket.on('error', () => {}));
  listening.on('tlsClientError', () => {});
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as { port: number };
  const socket = connect({ host: '127.0.0.1', port, ca: authority.cert, ...client });
  try {
    return await new Promise((resolve) => {
      socket.on('error', resolve).on('close', () => resolve(null));
      socket.resume();
    });
  } finally {
    socket.destroy();
    listening.close();
  }
}

const right = authority.server('127.0.0.1');
const CASES: readonly [name: string, TlsOptions, ConnectionOptions, problem: RegExp, remedy: RegExp][] = [
  ['an expired certificate', authority.expired('127.0.0.1'), {}, /has expired/, /Renew/],
  [
    'a certificate for another name',
    authority.server('db.example'),
    {},
    /127\.0\.0\.1 is not in “DNS:db\.example”/,
    /a name that is in the certificate/,
  ],
  ['an authority that is not trusted', stranger.server('127.0.0.1'), {}, /not signed by an authority/, /x\.ca_file/],
  [
    'a client without certificate',
    { ...right, ca: authority.cert, requestCert: true },
    {},
    /wants a client certificate/,
    /x\.cert_file and x\.key_file/,
  ],
  [
    'no version in common',
    { ...right, maxVersion: 'TLSv1.2' },
    { minVersion: 'TLSv1.3' },
    /no version/,
    /1\.2 or 1\.3/,
  ],
];

for (const [name, server, client, problem, remedy] of CASES) {
  test(`${name} is told by Node's own error`, async () => {
    const fault = tlsFault(await failure(server, client), 'x');
    assert.ok(fault !== null);
    assert.match(fault.problem, problem);
    assert.match(fault.remedy, remedy);
  });
}

describe('a server without TLS', () => {
  const plain = createTcpServer((socket) => {
    socket.on('error', () => {}).on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  before(() => once(plain.listen(0, '127.0.0.1'), 'listening'));
  after(() => plain.close());

  test('is told apart', async () => {
    const { port } = plain.address() as { port: number };
    const socket = connect({ socket: connectTcp(port, '127.0.0.1') });
    const [error] = await once(socket, 'error').catch((thrown: unknown) => [thrown]);
    socket.destroy();
    assert.match(tlsFault(error, 'x')?.problem ?? '', /does not answer with TLS/);
  });
});

test('what may pass by itself is no fault of TLS', () => {
  for (const code of [
    'ECONNRESET',
    'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
    'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
  ]) {
    assert.equal(tlsFault(Object.assign(new Error('words'), { code }), 'x'), null);
  }
  assert.equal(tlsFault(new Error('words'), 'x'), null);
});
