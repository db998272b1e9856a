/** The check in Cloudflare's runtime, which compiles no bytes and gives the module instead. */
import { init } from 'focal-loss'
import module from 'focal-loss/focal-loss.wasm'
import { check } from './check.js'

export default {
  async fetch(request: Request): Promise<Response> {
    await init('wasm', { module })
    return Response.json(await check(Number(new URL(request.url).searchParams.get('problems'))))
  },
}
