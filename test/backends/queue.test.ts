/** One place and those who wait for it. */
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Queue } from '../../src/backends/queue.js'

describe('a queue', () => {
  it('lets one in at a time, in order', async () => {
    const queue = new Queue()
    let inside = 0
    const order: number[] = []
    await Promise.all(
      [0, 1, 2, 3].map(async (i) => {
        await queue.enter(undefined)
        expect(++inside).toBe(1)
        order.push(i)
        await new Promise((resolve) => setTimeout(resolve, 3 - i))
        inside--
        queue.leave()
      }),
    )
    expect(order).toEqual([0, 1, 2, 3])
  })

  it('lets those go who give up, and nobody waits for them', async () => {
    const queue = new Queue()
    await queue.enter(undefined)
    const controller = new AbortController()
    const second = queue.enter(controller.signal)
    const third = queue.enter(new AbortController().signal)
    controller.abort('tired')
    await expect(second).rejects.toBe('tired')
    await expect(queue.enter(controller.signal)).rejects.toBe('tired')
    queue.leave()
    await third
    queue.leave()
    await queue.enter(undefined)
  })

  it('leaves no listeners behind', async () => {
    const queue = new Queue()
    const { signal } = new AbortController()
    await queue.enter(signal)
    const second = queue.enter(signal)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    queue.leave()
    await second
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('is not lost to one who is aborted as the turn comes', async () => {
    const queue = new Queue()
    await queue.enter(undefined)
    const controller = new AbortController()
    const second = queue.enter(controller.signal)
    queue.leave()
    controller.abort()
    await second
    const third = queue.enter(undefined)
    queue.leave()
    await third
  })
})
