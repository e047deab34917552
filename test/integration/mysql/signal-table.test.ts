import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preflight } from '../../../connectors/mysql/preflight.ts';
import { SnapshotLab } from '../../support/mysql-snapshot.ts';
import { testedServers } from '../../support/server-features.ts';

for (const { server, label, hasJson } of await testedServers()) {
  test(`${label}: a table for signals from which none would arrive is found`, async () => {
    await using lab = await SnapshotLab.open(server);
    await lab.database.query(
      'CREATE TABLE signals (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))',
    );
    await lab.database.query(`CREATE TABLE texts (id char(9), type text, data ${hasJson ? 'json' : 'text'})`);
    await lab.database.query('CREATE TABLE numbered (id int PRIMARY KEY, type varchar(32), data blob)');
    await lab.database.query('CREATE TABLE short (id varchar(42) PRIMARY KEY, data text)');
    await lab.database.query('CREATE VIEW shown AS SELECT * FROM signals');
    const complaints = async (table: string) => {
      const source = { ...lab.source, signals: { table: `${lab.database.name}.${table}`, topic: null } };
      const findings = await preflight({ ...lab.config, source }, lab.dependencies, lab.signal);
      const ofSignals = findings.filter(({ check }) => check.startsWith('signal_table'));
      assert.equal(ofSignals.length, 3);
      return ofSignals.filter(({ severity }) => severity !== 'ok').map(({ check, problem }) => `${check}: ${problem}`);
    };
    assert.deepEqual(await complaints('signals'), []);
    assert.deepEqual(await complaints('texts'), []);
    assert.match(
      (await complaints('absent')).join(),
      /^signal_table: There is no signal table \w+\.absent, or the acc/,
    );
    assert.match((await complaints('shown')).join(), /^signal_table: There is no signal table/);
    assert.match((await complaints('numbered')).join(), /^signal_table_columns: .*: id \(int.*\), data \(blob\);/);
    assert.match((await complaints('short')).join(), /^signal_table_columns: .* has 2 columns \(id, data\)/);
  });
}
