import type { Socket } from 'node:net';
import { problem } from './answer.ts';

const STATUS_LINES: Readonly<Record<number, string>> = {
  400: '400 Bad Request',
  408: '408 Request Timeout',
  431: '431 Request Header Fields Too Large',
};

/** Answers what was no HTTP request (so that there is nothing to route) and closes the connection. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, contentType, body } = problem(statusOf(error.code), 'This is not a valid HTTP request.');
  socket.end(
    `HTTP/1.1 ${STATUS_LINES[status]}\r\nContent-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
  // A peer that never reads must not keep the socket.
  socket.setTimeout(1_000, () => socket.destroy());
}

function statusOf(code: string | undefined): 400 | 408 | 431 {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}
