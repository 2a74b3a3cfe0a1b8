"""Rich text: wiki markup, Atlassian documents, and both as HTML for the pages."""
