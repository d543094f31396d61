export { PGlite } from '@electric-sql/pglite'
export { postgis as extension } from '@electric-sql/pglite-postgis'
export const name = 'postgis'
