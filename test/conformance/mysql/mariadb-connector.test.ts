import { it } from 'node:test';
import { testedServers } from '../../support/server-features.ts';
import { binlogServer } from '../connector/mysql-server.ts';
import { describeConnector } from '../connector.ts';

const tested = (await testedServers()).find(({ server }) => server === 'mariadb');
if (tested === undefined) it('connector: MariaDB', { skip: 'TEST_BINLOG_SERVERS: this run has no MariaDB' });
else describeConnector(binlogServer(tested));
