/** Something the person who started the program can mend: printed as one sentence, without a stack. */
export class UserError extends Error {
  override name = 'UserError'
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
