/** What a promise rejects with; 'none' where it resolves. */
export async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
