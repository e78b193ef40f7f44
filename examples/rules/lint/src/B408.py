import xml.dom.minidom

