/** Who is let in to a job over TCP, and who is not. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { joinTcp, type TcpOptions } from 'focal-loss/tcp'
import { messageOf } from '../../../support/message.js'
import { freePort } from '../../../support/ports.js'

const secret = 'of the test'

describe('a job', () => {
  it('refuses whoever is no rank of it, and goes on', async () => {
    const port = await freePort()
    const first = joinTcp({ rank: 0, size: 3, port, secret, timeout: 10 })
    const second = joinTcp({ rank: 1, size: 3, port, secret, timeout: 10 })
    await new Promise((done) => setTimeout(done, 200))
    expect(await messageOf(joinTcp({ rank: 2, size: 3, port, secret: 'another', timeout: 10 }))).toBe('refused: another secret; expected that of rank 0')
    expect(await messageOf(joinTcp({ rank: 2, size: 4, port, secret, timeout: 10 }))).toBe('refused: a job of 4 ranks; expected 3, as rank 0 has it')
    expect(await messageOf(joinTcp({ rank: 1, size: 3, port, secret, timeout: 10 }))).toBe('refused: rank 1 is there already; expected every rank once')
    const stranger = connect(port, '127.0.0.1')
    const answer: Buffer[] = []
    stranger.on('data', (data) => answer.push(data))
    stranger.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(stranger, 'close')
    expect(Buffer.concat(answer).toString()).toContain('refused: a connection from 127.0.0.1 sends what no rank of focal-loss/tcp sends')
    const third = joinTcp({ rank: 2, size: 3, port, secret, timeout: 10 })
    const ranks = await Promise.all([first, second, third])
    const arrays = ranks.map(({ rank }) => Float64Array.of(rank + 1))
    await Promise.all(ranks.map((each, rank) => each.allReduce(arrays[rank])))
    expect(arrays).toEqual([Float64Array.of(6), Float64Array.of(6), Float64Array.of(6)])
    for (const each of ranks) each.close()
  })

  it('that a rank does not come to fails on those that are there, and says who was refused', async () => {
    const port = await freePort()
    const outcomes = [joinTcp({ rank: 0, size: 4, port, secret, timeout: 1 }), joinTcp({ rank: 2, size: 4, port, secret, timeout: 5 }), joinTcp({ rank: 1, size: 4, port, secret: 'another', timeout: 5 })].map(messageOf)
    expect(await Promise.all(outcomes)).toEqual([
      '1 s have passed without rank 1, 3 of 4; a connection from 127.0.0.1 was refused: another secret; expected that of rank 0',
      '1 s have passed without rank 1, 3 of 4; a connection from 127.0.0.1 was refused: another secret; expected that of rank 0',
      'refused: another secret; expected that of rank 0',
    ])
  })

  it('without a rank 0 fails after the limit', async () => {
    const port = await freePort()
    expect(await messageOf(joinTcp({ rank: 1, size: 2, port, secret, timeout: 0.5 }))).toBe(`0.5 s have passed without rank 0 of 2 at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`)
  })

  it('fails where something else listens', async () => {
    const port = await freePort()
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')).listen(port, '127.0.0.1')
    await once(server, 'listening')
    expect(await messageOf(joinTcp({ rank: 1, size: 2, port, secret, timeout: 5 }))).toBe('rank 0 of 2 sends what no rank of focal-loss/tcp sends')
    expect(await messageOf(joinTcp({ rank: 0, size: 2, port, secret, timeout: 5 }))).toBe(`rank 0 cannot listen at 127.0.0.1:${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}`)
    server.close()
  })

  it('listens at the given address alone', async () => {
    const port = await freePort()
    const first = messageOf(joinTcp({ rank: 0, size: 2, port, secret, host: '127.0.0.2', timeout: 1 }))
    await new Promise((done) => setTimeout(done, 200))
    const elsewhere = connect(port, '127.0.0.1')
    const [error] = (await once(elsewhere, 'error')) as [Error]
    expect(error.message).toContain('ECONNREFUSED')
    expect(await first).toBe('1 s have passed without rank 1 of 2')
  })
})

describe('joinTcp() refuses', () => {
  const right = { rank: 0, size: 1, port: 1024, secret }
  it.each([
    [undefined, 'options is undefined; expected an object with options'],
    [{ ...right, sekret: 'x' }, "'sekret' is not an option of joinTcp(); did you mean 'secret'?"],
    [{ ...right, rank: 1 }, 'rank is 1; expected an integer from 0 to 0'],
    [{ ...right, size: 0 }, 'size is 0; expected an integer >= 1'],
    [{ ...right, port: 0 }, 'port is 0; expected a whole number from 1 to 65535'],
    [{ ...right, port: 65_536 }, 'port is 65536; expected a whole number from 0 to 65535'],
    [{ ...right, secret: undefined }, 'secret is undefined; expected a text'],
    [{ ...right, secret: '' }, "secret is ''; expected a text that is not empty"],
    [{ ...right, host: 7 }, 'host is 7; expected a text'],
    [{ ...right, timeout: 0 }, 'timeout is 0; expected a number of seconds > 0 and <= 2000000'],
    [{ ...right, timeout: Infinity }, 'timeout is Infinity; expected a number of seconds > 0 and <= 2000000'],
    [{ ...right, timeout: '1' }, "timeout is '1'; expected a number of seconds > 0 and <= 2000000"],
  ])('%#', async (options, message) => {
    expect(await messageOf(joinTcp(options as TcpOptions))).toBe(message)
  })
})
