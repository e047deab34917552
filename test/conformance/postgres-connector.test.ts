import { POSTGRES } from './connector/postgres-server.ts';
import { describeConnector } from './connector.ts';

describeConnector(POSTGRES);
