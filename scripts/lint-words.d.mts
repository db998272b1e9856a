export function phrasesIn(text: string, phrases: Readonly<Record<string, string>>): string[]
export function longSentences(markdown: string, limit: number): string[]
