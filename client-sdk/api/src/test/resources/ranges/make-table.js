// Makes ranges.tsv with the verdicts of npm's semver:
//   npm install --prefix /tmp/semver semver@7.8.5 && NODE_PATH=/tmp/semver/node_modules node make-table.js > ranges.tsv
const semver = require('semver')

const versions = `0.0.0 0.0.1 0.0.2 0.0.3-alpha 0.0.3 0.1.0 0.1.2 0.1.9 0.2.0-beta.1 0.2.0 0.2.3 0.3.0 0.9.9 1.0.0-alpha 1.0.0-alpha.1
  1.0.0-rc.2 1.0.0-rc.10 1.0.0 1.0.1 1.2.0 1.2.3-beta.2 1.2.3-beta.11 1.2.3 1.2.4-beta.1 1.2.4 1.3.0-0 1.3.0 1.9.9 2.0.0-0 2.0.0-rc.1
  2.0.0 2.0.1 2.3.0 2.3.4 2.4.0 3.0.0-1x 3.0.0-2 3.0.0 10.0.0 2147483647.0.0 1.2147483647.0`.split(/\s+/)

const ranges = `^0 ^0.0 ^0.0.x ^0.x ^0.1 ^0.1.x ^0.2 ^0.0.0 ^0.0.1 ^0.0.2 ^0.1.2 ^0.2.3 ^1 ^1.2 ^1.2.x ^1.2.3 ^1.x ^* ^x ^v1.2.3 ^=1.2 ^2.0.0
~0 ~0.0 ~0.0.1 ~0.1 ~0.1.2 ~1 ~1.2 ~1.2.3 ~1.x ~> ~>1.2 ~* ~x.1 ^x.1
* x X x.x 1 1.x 1.X 1.* 1.2 1.2.x 1.2.* =1.2.3 =1.2 v1 v1.2.3 =v1.2.3 ==1.2.3 0 0.0 0.0.x 1.2.3 >=0.0.0 >=0 <0.0.0 >* <* >=* <=*
>1 >1.2 >1.2.3 >=1 >=1.2 >=1.2.3 <1 <1.2 <1.2.3 <=1 <=1.2 <=1.2.3 >0 <0 >0.1 <=0.1
1.2.3-beta ^1.2.3-beta ^1.2.3-beta.2 ~1.2.3-beta.3 >1.2.3-beta.2 <1.2.3-beta.11 >=1.2.3-0 >=1.0.0-rc.2 <2.0.0-0 <2.0.0-rc.1 <=2.0.0-rc.1
^0.0.3-alpha ^0.2.0-beta 1.0.0-alpha 1.2.x-beta ^1.2.x-beta >=3.0.0-2 >=3.0.0-1x
^2147483647 2147483648 >=1.2147483647 <9007199254740991 <=9007199254740990.x ^9007199254740991 9007199254740992 <1.99999999999999999999 >=99999999999999999999.x
x.1.1 1.x.1 *.1 ^1.x.9 ^x.99999999999999999999 1.2.3* 01.2 1.02 1.2.3.4 1.2.3- ^^1 1.2.3-01 latest prod v =1.2.3+build ^1.2.3+build 1.2.x+build 1.2.3-beta.2+5`
  .split(/\s+/)
ranges.push(...`1.2.3 - 2.3.4|1.2 - 2.3.4|1.2.3 - 2.3|1.2.3 - 2|0.1 - 1|1 - 2|=1 - =2|=1.2.3 - 2|1 - =2.3.4|1 - =2.3.4-rc|* - 2|1 - *|1.2.3-beta - 2.0.0-rc.1|v1 - v2|1.2.3 -2.0.0|1.2.3- 2.0.0|2 - 1|0.0.0 - 0.0.x
>=1.2.3 <2|>= 1.2.3 < 2|>1 <2|^1.2 <1.3|^ 1.2|~ 1.2|~> 1.2.3|  ^1.2  |>1.2.3<2|1.2.3 1.2.4|* 1.2.3|>=0.0.0 <1|^1 x|> foo|^1 foo|>=1.2.3-beta <1.3|= 1.2
>=1.0.0-rc.2 <1.2.3-beta.11`.split(/[|\n]/))
ranges.push('^1||^2', '1.2.3 || 0.0.1', '^0.1 || ~1.2', '||', '1 ||', '* || 1.0.0-alpha', '>=0.0.0 || 1.0.0-alpha', '>1 <1 || ^2', '1.0.0-alpha || 1.2.3-beta.2', '^1 | ^2',
  '^1 || foo', '<0.0.0-0 || 1', '1 - 2 || 3', '^0.0.1 || ^0.1 ||^2', '~1.2.3-beta || >2', '1||2||3')

console.log('# npm semver ' + require('semver/package.json').version + ': each range, and those of the following versions that it includes')
console.log(versions.join(' '))
for (const range of ranges) {
  const verdict = semver.validRange(range) === null ? 'invalid' : versions.filter(version => semver.satisfies(version, range)).join(' ')
  console.log(range + '\t' + verdict)
}
