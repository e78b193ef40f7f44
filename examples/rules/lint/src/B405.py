import xml.etree.ElementTree

