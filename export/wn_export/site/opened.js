/* For where page.js cannot even begin: a browser without modules, or a page opened as a file. */
addEventListener("DOMContentLoaded", function () {
  var reason = "";
  if (location.protocol === "file:") {
    reason =
      "Browsers run this page only from a server: in its folder, python3 -m http.server, then " +
      "open http://localhost:8000";
  } else if (!("noModule" in document.createElement("script"))) {
    reason = "This browser is too old for this page: it has no JavaScript modules.";
  }
  if (!reason) return;
  document.getElementById("loading").hidden = true;
  var problem = document.getElementById("problem");
  problem.textContent = reason;
  problem.hidden = false;
});
