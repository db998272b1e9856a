/** What a call throws, or its promise is rejected with: for tests that compare whole errors. */
export async function thrownBy(run: () => unknown): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    return error
  }
  return 'nothing was thrown'
}
