/** A MySQL or MariaDB source makes nothing on its server: there is nothing to drop. */
export async function teardown(): Promise<void> {}
