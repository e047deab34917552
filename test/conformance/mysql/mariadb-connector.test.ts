import { MARIADB } from '../connector/mysql-server.ts';
import { describeConnector } from '../connector.ts';

describeConnector(MARIADB);
