import { it } from 'node:test';
import { testedServers } from '../../support/server-features.ts';
import { binlogServer } from '../connector/mysql-server.ts';
import { describeConnector } from '../connector.ts';

const tested = (await testedServers()).find(({ server }) => server === 'mysql');
if (tested === undefined) it('connector: MySQL', { skip: 'TEST_BINLOG_SERVERS: this run has no MySQL' });
else describeConnector(binlogServer(tested));
