/** What Vite makes of an import that ends in `?inline`: a `data:` address. */
declare module '*.npy?inline' {
  const address: string
  export default address
}
