package dev.nola.registry.pages;

import dev.nola.registry.access.Caller;

/**
 * Who looks at a page.
 *
 * @param account of the session; {@code anonymous} without one
 * @param signedIn whether there is a session
 * @param admin whether the pages for admins are shown
 */
record Viewer(String account, boolean signedIn, boolean admin) {
  static Viewer of(Caller caller) {
    return new Viewer(caller.account(), caller.tokenId() != null, caller.isGlobalAdmin());
  }
}
