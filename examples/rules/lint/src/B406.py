import xml.sax

