/** Connectors by the `type` of a source. Loaded when a source needs them: a daemon of one database pays for one. */
export const connectorRegistry = {
  postgres: async () => (await import('../connectors/postgres/index.ts')).connector,
  mysql: async () => (await import('../connectors/mysql/index.ts')).mysql,
  mariadb: async () => (await import('../connectors/mysql/index.ts')).mariadb,
};
