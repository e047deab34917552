import { startMysql9 } from './mysql-9.ts';
import { startMysql56 } from './mysql-56.ts';
import type { Service, ServiceContext } from './service.ts';

/** MySQL by its version. */
const STARTERS: Readonly<Record<string, (context: ServiceContext, more: readonly string[]) => Promise<Service>>> = {
  '9': startMysql9,
  '5.6': startMysql56,
};
export const MYSQL_VERSIONS: readonly string[] = ['9', '5.6'];
export const DEFAULT_MYSQL = '9';

/**
 * MySQL with an account `cdc` that may do everything.
 * @param more options; they win over those of here
 */
export async function startMysql(
  version: string,
  context: ServiceContext,
  more: readonly string[] = [],
): Promise<Service> {
  const start = STARTERS[version];
  if (start === undefined) throw new Error(`no MySQL ${version} here: choose one of ${MYSQL_VERSIONS.join(', ')}`);
  return start(context, more);
}
