export function linksOf(page: string, markdown: string): { readonly target: string; readonly anchor: string }[]
export function withAddresses(page: string, markdown: string, isPacked: (path: string) => boolean, repository: string, version: string): string
export function anchorsOf(markdown: string): Set<string>
