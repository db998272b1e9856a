import type { Rolldown } from 'tsdown'

export declare function licences(fileName: string): Rolldown.Plugin
