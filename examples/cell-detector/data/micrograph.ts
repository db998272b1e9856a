/** Every image is brought to this size, so that 8 x 8 pixel cells make an 80 x 60 grid. */
export const WIDTH = 640
export const HEIGHT = 480

export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export interface Micrograph {
  readonly name: string
  /** RGB, three bytes a pixel, WIDTH x HEIGHT, row by row. */
  readonly pixels: Uint8Array
  /** Where the platelets are, in pixels of WIDTH x HEIGHT. */
  readonly platelets: readonly Box[]
}

export const SPLITS = ['train', 'val', 'test'] as const
export type Split = (typeof SPLITS)[number]

export interface ImageSource {
  /** One line that says what these images are. */
  readonly description: string
  readonly splits: Readonly<Record<Split, readonly string[]>>
  read(name: string): Promise<Micrograph>
}

/** Keeps `limit` images in all, every split in proportion, and never fewer than one of each. */
export function limitImages(source: ImageSource, limit: number | undefined): ImageSource {
  const total = SPLITS.reduce((sum, split) => sum + source.splits[split].length, 0)
  if (limit === undefined || limit >= total) return source
  const keep = (split: Split): readonly string[] => {
    const names = source.splits[split]
    return names.slice(0, Math.max(1, Math.round((names.length * limit) / total)))
  }
  return {
    description: `${source.description}, limited to ${limit} of ${total}`,
    splits: { train: keep('train'), val: keep('val'), test: keep('test') },
    read: (name) => source.read(name),
  }
}
