// PostgreSQL in WebAssembly with the extension that lies beside this file. Prints its port on the loopback address, and ends with its stdin.
//
// There is one session, so clients are let in one after the other: each begins where DISCARD ALL leaves the session, and the
// next waits until it has gone. Databases cannot be told apart, the options of a connection are not heard, and COPY ... FROM
// STDIN ends it all.
import { createServer, connect } from 'node:net'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { PGlite, extension, name } from './extension.mjs'

const host = '127.0.0.1'
const db = await PGlite.create({ extensions: { [name]: extension } })
await db.exec(`CREATE EXTENSION ${name}`)
const inner = new PGLiteSocketServer({ db, host, port: 0, maxConnections: 2 })
await inner.start()
const innerPort = Number(inner.getServerConn().split(':').pop())

let turn = Promise.resolve()
const gate = createServer({ pauseOnConnect: true }, (client) => {
  client.on('error', () => client.destroy())
  turn = turn.then(() => serve(client)).then(tidy)
})
gate.listen(0, host, () => console.log(gate.address().port))
process.stdin.resume().on('end', () => process.exit(0))

function serve(client) {
  return new Promise((gone) => {
    const server = connect(innerPort, host)
    server.on('error', () => client.destroy())
    server.on('close', () => { client.destroy(); gone() })
    client.on('close', () => server.destroy())
    if (client.destroyed) server.destroy()
    client.pipe(server).pipe(client)
  })
}

async function tidy() {
  if (db.isInTransaction()) await db.exec('ROLLBACK')
  await db.exec('DISCARD ALL')
  await db.exec('SET search_path TO public') // which PGlite set once, and DISCARD ALL made pg_catalog
}
