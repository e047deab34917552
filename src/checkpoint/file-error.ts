import { ConfigurationError, TailraceError, TransientError } from '../core/errors.ts';

/** Codes of errno(3) that an operator has to remove by changing paths, mounts or permissions. */
const CONFIGURATION_CODES = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'EEXIST',
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
]);
const FULL_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Primary result codes https://www.sqlite.org/rescode.html: PERM, READONLY, CANTOPEN, NOTADB. */
const SQLITE_CONFIGURATION_CODES = new Set([3, 8, 14, 26]);

/** Gives an error of the file system its class. `what` is what was tried, such as `Writing /var/lib/tailrace/shop.json`. */
export function fileError(error: unknown, what: string, source: string): unknown {
  if (error instanceof TailraceError || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const sqlite = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
  if (FULL_CODES.has(code)) {
    return new TransientError(`${what} failed: no room (${code}); the state before is intact`, {
      code: 'STATE_DISK_FULL',
      remedy: 'Make room on that file system or raise its quota; the source goes on by itself.',
      source,
      cause: error,
    });
  }
  if (CONFIGURATION_CODES.has(code) || SQLITE_CONFIGURATION_CODES.has(sqlite)) {
    return new ConfigurationError(`${what} failed (${code === 'ERR_SQLITE_ERROR' ? `SQLite ${sqlite}` : code})`, {
      code: 'STATE_PATH_UNUSABLE',
      remedy: 'Let `checkpoint.path` be a directory that the daemon may read and write.',
      source,
      cause: error,
    });
  }
  if (code === '' || (code.startsWith('ERR_') && code !== 'ERR_SQLITE_ERROR')) return error;
  return new TransientError(`${what} failed (${code})`, {
    code: 'STATE_IO_FAILED',
    remedy: 'Look at the health of that file system; the source tries again by itself.',
    source,
    cause: error,
  });
}
