/**
 * Where a release comes from, as GitHub's workflows say it: `repository`, `homepage` and `bugs` of its packages, without which npm refuses provenance, and
 * addresses for what pages link to and the package has not. Nothing of it is in the repository, which may be anybody's copy.
 */
export function repositoryOf({ GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name }) {
  if (server === undefined || name === undefined) return undefined
  const url = `${server}/${name}`
  return {
    url,
    fields: { repository: { type: 'git', url: `git+${url}.git` }, homepage: `${url}#readme`, bugs: `${url}/issues` },
  }
}
