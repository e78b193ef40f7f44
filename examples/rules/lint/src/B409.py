import xml.dom.pulldom

