/** The check as a program, for Node.js, Bun and Deno: prints what was found as the last line. */
import { check } from './check.js'

console.log(JSON.stringify(await check(Number(process.argv[2]))))
